"""`scheduler-k3s:profiles:add`, `profiles:list` and `profiles:remove`."""

from scheduler_k3s import log, profiles, reports, sysctls
from scheduler_k3s.profiles import Profile


def add(profile: Profile) -> None:
    """Store the profile over one of the same name."""
    profiles.check_role(profile.role)
    profiles.check_name(profile.name)
    profiles.check_kubelet_args(profile.kubelet_args)
    profiles.write(profile)
    log.step(f"Node profile {profile.name} added")


def show(layout: str) -> None:
    reports.check_format(layout)
    found = [profiles.read(name) for name in profiles.names()]
    if layout == "json":
        reports.as_json([profile.as_object() for profile in found])
    else:
        reports.table(("name", "role"), [(profile.name, profile.role) for profile in found])


def remove(name: str) -> None:
    """Forget the profile and its sysctls, in the cluster too when that can be reached. Its nodes stay."""
    profiles.check_name(name)
    profiles.remove(name)
    sysctls.remove(name)

    from scheduler_k3s.operations import node_sysctls

    node_sysctls.remove_profile(name)
    log.step(f"Node profile {name} removed")
