# Signs and verifies with dkimpy: a line a job, which is JSON, a tab and
# the message in base64; JSON out.
import base64
import json
import sys
import types

import dkim


def key(pem, algorithm):
    text = "".join(line for line in pem.splitlines() if "-----" not in line)
    # dkimpy takes an Ed25519 key as its bare seed, which ends the PKCS#8 form.
    return base64.b64encode(base64.b64decode(text)[-32:]) if "ed25519" in algorithm else pem.encode()


def sign(job, message):
    # It takes t= from the clock; the same job is to give the same signature.
    dkim.time = types.SimpleNamespace(time=lambda: job["time"])
    signer = dkim.DKIM(message, signature_algorithm=job["algorithm"].encode())
    # Received and others, which it would refuse to sign (RFC 6376 §5.4.1: SHOULD NOT).
    signer.should_not_sign = set()
    return signer.sign(
        job["selector"].encode(),
        job["domain"].encode(),
        key(job["key"], job["algorithm"]),
        canonicalize=tuple(job["canonicalization"].encode().split(b"/")),
        include_headers=[name.encode() for name in job["fields"]],
        length=job["length"],
    )


def verify(job, message):
    def txt(name, timeout=None):
        name = name.decode() if isinstance(name, bytes) else name
        return job["records"].get(name.rstrip("."))

    def passes(index):
        try:
            return verifier.verify(index, dnsfunc=txt)
        except dkim.DKIMException:
            return False

    verifier = dkim.DKIM(message)
    signatures = sum(name.lower() == b"dkim-signature" for name, _ in verifier.headers)
    return any(passes(index) for index in range(signatures))


for line in sys.stdin:
    job, message = line.split("\t")
    job, message = json.loads(job), base64.b64decode(message)
    try:
        if "key" in job:
            answer = {"field": base64.b64encode(sign(job, message)).decode()}
        else:
            answer = {"pass": bool(verify(job, message))}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
