# Reads reports with Python's email package, and with arf-mime if that is
# there: a line a report, in base64; JSON out.
import base64
import email
import email.policy
import hashlib
import json
import sys

try:
    import arf
except ImportError:
    arf = None


def read(octets):
    message = email.message_from_bytes(octets, policy=email.policy.default)
    parts = message.get_payload()
    text, feedback, original = parts
    fields = feedback.get_payload()[0]
    answer = {
        "header": {name: str(message[name]) for name in message.keys()},
        "type": message.get_content_type(),
        "report_type": message["Content-Type"].params["report-type"],
        "parts": [part.get_content_type() for part in parts],
        "text": text.get_content(),
        "fields": [[name, str(value)] for name, value in fields.items()],
        "defects": [repr(one) for part in [message, *parts, fields] for one in part.defects],
    }
    if original.get_content_type() == "message/rfc822":
        whole = original.get_payload()[0]
        answer["original"] = [[name, str(value)] for name, value in whole.items()]
    else:
        header = original.get_payload(decode=True)
        answer["original"] = [
            [name, str(value)]
            for name, value in email.message_from_bytes(header, policy=email.policy.default).items()
        ]
    for name in ["Header", "Body"]:
        value = fields["DKIM-Canonicalized-" + name]
        if value is not None:
            canonical = base64.b64decode(str(value))
            answer["canonical" + name] = base64.b64encode(canonical).decode()
            digest = hashlib.sha256(canonical).digest()
            answer["hash" + name] = base64.b64encode(digest).decode()
    if arf is not None:
        report = arf.ARFMessage(octets.decode("latin-1")).get_feedback_report()
        answer["arf"] = [[name, value] for name, value in report.items()]
    return answer


for line in sys.stdin:
    try:
        answer = read(base64.b64decode(line))
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
