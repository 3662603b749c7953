//! Forms that DNS providers and their tools take.

use serde_json::{Value, json};

use super::lines::quoted;
use crate::Publication;

/// Everything there is to know, for a program of one's own.
pub(super) fn json(publication: &Publication) -> String {
    line(&json!({
        "name": publication.name,
        "type": "TXT",
        "ttl": publication.ttl,
        "text": publication.text,
        "strings": publication.strings().collect::<Vec<_>>(),
    }))
}

/// A change batch as `aws route53 change-resource-record-sets --change-batch` takes it. `UPSERT`
/// replaces the record set there is.
pub(super) fn route53(publication: &Publication) -> String {
    line(&json!({
        "Changes": [{
            "Action": "UPSERT",
            "ResourceRecordSet": {
                "Name": format!("{}.", publication.name),
                "Type": "TXT",
                "TTL": publication.ttl,
                "ResourceRecords": [{ "Value": strings(publication) }],
            },
        }],
    }))
}

/// A DNS record as Cloudflare's API takes it.
pub(super) fn cloudflare(publication: &Publication) -> String {
    line(&json!({
        "type": "TXT",
        "name": publication.name,
        "content": strings(publication),
        "ttl": publication.ttl,
    }))
}

/// An entry of the zone of the domain. octoDNS cuts the value into strings itself, and wants its
/// semicolons escaped.
pub(super) fn octodns(publication: &Publication) -> String {
    // In YAML's single quotes only the quote itself is special.
    let value = publication.text.replace(';', "\\;").replace('\'', "''");
    format!(
        "{}:\n  type: TXT\n  ttl: {}\n  value: '{value}'\n",
        publication.relative_name(),
        publication.ttl
    )
}

/// A resource of Terraform's AWS provider: strings of more than 255 octets are cut by `\"\"`.
pub(super) fn terraform(publication: &Publication) -> String {
    let label: String =
        publication.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    // The provider puts quotes around the value; between two strings it wants `""`.
    let strings = strings(publication).replace("\" \"", "\"\"");
    let value = strings.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    // In Terraform's own quotes, `${` and `%{` begin templates; doubled, they do not.
    let escaped = value.unwrap_or_default().replace('\\', "\\\\").replace('"', "\\\"");
    let text = escaped.replace("${", "$${").replace("%{", "%%{");
    format!(
        "resource \"aws_route53_record\" \"dkim_{label}\" {{\n  \
           zone_id = var.zone_id\n  \
           name    = \"{}\"\n  \
           type    = \"TXT\"\n  \
           ttl     = {}\n  \
           records = [\"{text}\"]\n\
         }}\n",
        publication.name, publication.ttl
    )
}

/// The strings in quotes, as the value of one record.
fn strings(publication: &Publication) -> String {
    let strings: Vec<String> = publication.strings().map(quoted).collect();
    strings.join(" ")
}

fn line(value: &Value) -> String {
    format!("{value}\n")
}
