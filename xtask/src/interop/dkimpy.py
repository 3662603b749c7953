# Signs and verifies with dkimpy: JSON in, JSON out, a line a job; octets in base64.
import base64
import json
import sys

import dkim


def key(pem, algorithm):
    text = "".join(line for line in pem.splitlines() if "-----" not in line)
    # dkimpy takes an Ed25519 key as its bare seed, which ends the PKCS#8 form.
    return base64.b64encode(base64.b64decode(text)[-32:]) if "ed25519" in algorithm else pem.encode()


def sign(job, message):
    return dkim.sign(
        message,
        job["selector"].encode(),
        job["domain"].encode(),
        key(job["key"], job["algorithm"]),
        canonicalize=tuple(job["canonicalization"].encode().split(b"/")),
        signature_algorithm=job["algorithm"].encode(),
        include_headers=[b"from", b"to", b"subject", b"date"],
    )


def verify(job, message):
    def txt(name, timeout=None):
        name = name.decode() if isinstance(name, bytes) else name
        return job["records"].get(name.rstrip("."))

    return dkim.verify(message, dnsfunc=txt)


for line in sys.stdin:
    job = json.loads(line)
    message = base64.b64decode(job["message"])
    try:
        if "key" in job:
            answer = {"field": base64.b64encode(sign(job, message)).decode()}
        else:
            answer = {"pass": bool(verify(job, message))}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
