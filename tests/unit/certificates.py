"""Certificates for servers and clients on loopback, made by openssl for one test run."""

import subprocess
from pathlib import Path


class Authority:
    """A CA; `issue` makes a certificate and its key, for the names and addresses given."""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory
        self.certificate = directory / f"{name}.crt"
        self._key = directory / f"{name}.key"
        self._run(
            "req",
            "-x509",
            "-subj",
            f"/CN={name}",
            "-days",
            "2",
            "-keyout",
            self._key,
            "-out",
            self.certificate,
        )

    def issue(self, name: str, subject: str, days: int = 2) -> tuple[Path, Path]:
        certificate, key = self.directory / f"{name}.crt", self.directory / f"{name}.key"
        signed = ("-CA", self.certificate, "-CAkey", self._key, "-addext", f"subjectAltName={subject}")
        self._run(
            "req",
            "-x509",
            "-subj",
            f"/CN={name}",
            "-days",
            str(days),
            "-keyout",
            key,
            "-out",
            certificate,
            *signed,
        )
        return certificate, key

    def _run(self, *words: "str | Path") -> None:
        fixed = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc")
        subprocess.run(["openssl", *words, *fixed], check=True, capture_output=True)
