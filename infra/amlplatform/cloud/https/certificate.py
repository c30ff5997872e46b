"""Certificates for this machine's loopback address and for names of Azure, made at each start.

One command trusts them, and nobody else.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

_CONFIGURATION = """
[req]
distinguished_name = subject
x509_extensions = server
prompt = no
[subject]
CN = amlplatform offline Azure, {stem}
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
subjectAltName = {names}
"""
_DAYS = 30
_HERE = ("IP:127.0.0.1", "DNS:localhost")
# Where certificates of authorities are when neither OpenSSL nor the person's environment names a file.
_SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


class CertificateError(Exception):
    """No certificate can be made. The message is one line for the person."""


def openssl() -> str:
    """The program that makes the certificate. Raises CertificateError when there is none."""
    found = shutil.which("openssl")
    if found is None:
        raise CertificateError("openssl: not on PATH; it makes the certificate of the offline Azure's HTTPS door")
    return found


def server_context(folder: Path, hosts: Sequence[str] = ()) -> tuple[ssl.SSLContext, Path]:
    """TLS for the server with a new certificate, and the certificate's file in `folder`.

    `hosts`: names beside this machine's own; a `*` stands for one part. The key is deleted as soon as it is loaded:
    from then on it is in this process's memory only. The certificate can sign no other. Raises CertificateError.
    """
    with made(folder, "certificate", (*_HERE, *(f"DNS:{host}" for host in hosts))) as (certificate, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    return context, certificate


@contextlib.contextmanager
def made(folder: Path, stem: str, names: Sequence[str]) -> Iterator[tuple[Path, Path]]:
    """A new certificate for `names` and its key, files in `folder`; the key is gone after the block.

    Raises CertificateError.
    """
    certificate, key, configuration = (folder / f"{stem}{end}" for end in (".pem", "-key.pem", ".cnf"))
    configuration.write_text(
        _CONFIGURATION.replace("{names}", ", ".join(names)).replace("{stem}", stem), encoding="utf-8"
    )
    # Made here, so that nobody else can read it at any moment, whatever openssl does.
    key.touch(mode=0o600)
    command = [openssl(), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-days", str(_DAYS), "-config", str(configuration), "-keyout", str(key), "-out", str(certificate)]
    try:
        result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if result.returncode:
            last = (result.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise CertificateError(f"openssl: it cannot make a certificate: {last}")
        yield certificate, key
    finally:
        key.unlink(missing_ok=True)
        configuration.unlink(missing_ok=True)


def bundle(certificate: Path, *others: Path) -> Path:
    """A file beside `certificate` with it, with `others` and with every authority that this machine trusts.

    REQUESTS_CA_BUNDLE and SSL_CERT_FILE replace what programs trust otherwise; with this they trust one more.
    """
    trusted = _trusted()
    target = certificate.with_name("trusted.pem")
    ours = "\n".join(file.read_text(encoding="ascii") for file in (certificate, *others))
    known = trusted.read_text(encoding="utf-8", errors="replace") if trusted else ""
    target.write_text(f"{ours}\n{known}", encoding="utf-8")
    return target


def _trusted() -> Path | None:
    named = (os.environ.get("REQUESTS_CA_BUNDLE"), os.environ.get("SSL_CERT_FILE"))
    candidates = (*named, ssl.get_default_verify_paths().cafile, *_SYSTEM_BUNDLES)
    return next((Path(name) for name in candidates if name and Path(name).is_file()), None)
