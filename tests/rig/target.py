"""Which cluster the tests talk to: the rig's own node, or the one that the tester names.

RIG_KUBECONFIG  kubeconfig of an existing cluster, with administrator's rights; no node is started then
RIG_REGISTRY    registry (host:port) that this machine's docker pushes to and that cluster pulls from
RIG_INGRESS     address at which that cluster's ingress controller answers on ports 80 and 443
"""

import os
from pathlib import Path

from rig.node.model import INGRESS_ADDRESS
from rig.node.model import REGISTRY as NODE_REGISTRY
from rig.paths import KUBECONFIG as NODE_KUBECONFIG

IS_EXISTING = "RIG_KUBECONFIG" in os.environ
KUBECONFIG = Path(os.environ.get("RIG_KUBECONFIG", NODE_KUBECONFIG))
REGISTRY = os.environ.get("RIG_REGISTRY", NODE_REGISTRY)
INGRESS = os.environ.get("RIG_INGRESS", INGRESS_ADDRESS)
