"""Images with real content credentials, signed by a certificate made here and now."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.classifiers.provenance import files

MIME = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif", "GIF": "image/gif"}


def named(common_name: str) -> x509.Name:
    parts = ((NameOID.ORGANIZATION_NAME, "Atelier of the tests"), (NameOID.COMMON_NAME, common_name))
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])


def certificate(key: ec.EllipticCurvePrivateKey, issuer: ec.EllipticCurvePrivateKey, *, ca: bool) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(named("root" if ca else "leaf"))
        .issuer_name(named("root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=not ca, key_cert_sign=ca, crl_sign=ca, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)
    )
    if not ca:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return made.sign(issuer, hashes.SHA256())


@cache
def identity() -> tuple[bytes, bytes, str]:
    """The chain, the key, and the root that a trust list would hold; all PEM."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root, leaf = certificate(root_key, root_key, ca=True), certificate(key, root_key, ca=False)
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return leaf.public_bytes(pem) + root.public_bytes(pem), secret, root.public_bytes(pem).decode()


def action(source_type: str, *, agent: str = "Atelier Diffusion") -> dict[str, Any]:
    return {
        "action": "c2pa.created",
        "softwareAgent": {"name": agent, "version": "3"},
        "digitalSourceType": files.SOURCE + source_type,
    }


def signed(
    kind: str = "JPEG",
    *,
    actions: Sequence[Mapping[str, Any]] | None = None,
    image: bytes | None = None,
    remote: str = "",
) -> bytes:
    """An image of the kind with a manifest in it; or, with `remote`, with the address of one."""
    chain, secret, _root = identity()
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, secret, None))
    assertions = [
        {"label": "c2pa.actions.v2", "data": {"actions": list(actions or [action("trainedAlgorithmicMedia")])}},
        {"label": "cawg.training-mining", "data": {"entries": {"cawg.ai_generative_training": {"use": "notAllowed"}}}},
    ]
    settings = {"builder": {"thumbnail": {"enabled": False}}, "verify": {"verify_after_sign": False}}
    manifest = {
        "claim_generator_info": [{"name": "Atelier", "version": "1.2"}],
        "format": MIME[kind],
        "assertions": assertions,
    }
    written = io.BytesIO()
    with c2pa.Context.from_dict(settings) as context, c2pa.Builder(manifest, context=context) as builder:
        if remote:
            builder.set_no_embed()
            builder.set_remote_url(remote)
        builder.sign(signer, MIME[kind], io.BytesIO(image or files.saved(kind)), written)
    return written.getvalue()
