"""Which names stand for secrets, and which values are the secret itself rather than a way to it."""

import itertools
import math
import re

_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])")

_SECRETS = frozenset(
    {
        *("password", "passwd", "passphrase", "secret", "token", "pwd", "pass", "credential", "credentials"),
        *("apikey", "secretkey", "accesskey", "privatekey", "authtoken", "userpassword", "dbpassword", "passcode"),
    }
)
# Two words that together name a secret.
_PAIRS = frozenset(
    {("api", "key"), ("secret", "key"), ("private", "key"), ("access", "key"), ("encryption", "key"), ("auth", "key")}
)
# Words that make the name a setting about a secret: what comes behind says where, how long, which kind …
_BEHIND = frozenset(
    {
        *("file", "files", "path", "dir", "directory", "name", "names", "ttl", "length", "len", "min", "max", "size"),
        *("age", "expire", "expires", "expiry", "expiration", "lifetime", "policy", "policies", "prompt", "hash"),
        *("hashed", "type", "algorithm", "encryption", "rotation", "url", "uri", "endpoint", "enabled", "disabled"),
        *("required", "authentication", "login", "auth", "lock", "locked", "count", "version", "id", "ids", "ref"),
        *("reference", "store", "backend", "engine", "role", "namespace", "mount", "field", "env", "var", "variable"),
        *("format", "mode", "owner", "group", "user", "users", "username", "change", "days", "warn", "history"),
        *("header", "issuer", "audience", "review", "quality", "regex", "pattern", "seconds", "timeout", "interval"),
        *("scope", "scopes", "manager", "provider", "class", "template", "src", "dest", "label", "labels", "comment"),
        *("description", "charset", "chars", "characters", "arn", "annotations", "salt", "rounds", "command", "cmd"),
        *("through", "rules", "strength", "minlen", "mechanism", "method", "cookie", "location", "bits", "protection"),
        *("attribute", "delegate"),
        *("words", "word", "bytes", "limit", "rate", "bucket", "account", "service", "validity", "duration", "hashes"),
        *(
            "crt",
            "cert",
            "certs",
            "certificate",
            "pki",
            "scheme",
            "attribute",
            "delegate",
            "hashing",
            "algo",
            "alg",
            "cipher",
            "ciphers",
        ),
    }
)
# … and what comes before says whether or what to do.
_BEFORE = frozenset(
    {
        *("update", "no", "use", "allow", "permit", "require", "requires", "generate", "create", "change", "enable"),
        *("disable", "rotate", "lock", "expire", "expired", "min", "max", "hashed", "encrypted", "public", "random"),
        *("reset", "force", "has", "is", "show", "hide", "ask", "forgot", "mount", "automount", "next", "cancel"),
    }
)
_TRUTH = frozenset({"true", "false", "yes", "no", "on", "off", "null", "none", "~", "", "omit", "always", "never"})
_FILLERS = re.compile(
    r"(?i)(?:change[-_ ]?(?:me|this|it)|replace[-_ ]?(?:me|this|with.*)|todo|fixme|tbd|xxx+|\*+|\.{3,}|-+|example.*|"
    r"dummy.*|placeholder.*|your[-_ ].*|insert[-_ ].*|redacted|masked|hidden|secret|password|passwd|token|undefined|"
    r"none|empty|read|write|fake.*|not[-_ ]?set|unset|default|prompt|encrypted|vault(?:ed)?|n/a)"
)
_REFERENCES = re.compile(
    r"\{\{|\{%|\$\{|\$\(|\A\$[A-Za-z_]|\A<.*>\Z|\AENC\[|\A%[A-Za-z_]+%\Z|\A@[A-Z_]+@\Z|\Alookup\(|\A!|"
    r"\A(?:vault|ref\+|op|aws-ssm|aws-sm|gcpsm|arn|env|file|secret|keyring|bws|ssm|sops|age1|path|http|https):|"
    r"\A(?:/|~/|\./|\.\./)[\w./-]+\Z|\A(?:var|local|data|module|each|vault|secrets?|env|params?|inputs?)\.[\w.\[\]-]+\Z"
)
# crypt(3), LDAP and bcrypt hashes, SCRAM verifiers and MySQL's: what a users file holds instead of passwords.
_HASHES = re.compile(
    r"\A(?:\$(?:1|2[abxy]?|5|6|7|y|gy|argon2\w*|pbkdf2[\w-]*|scrypt|apr1|sha1|md5)\$.*|\{(?:SSHA|SHA|CRYPT|SMD5|MD5)\w*\}.*|"
    r"SCRAM-SHA-\d+\$.*|md5[0-9a-f]{32}|\*[0-9A-F]{40}|[!*x]{1,2})\Z"
)
_NAMES_SECRET = re.compile(r"[a-z]Secrets?\Z")
_OBJECT = re.compile(r"[a-z]+(?:-[a-z]+)+|[a-z]{3,24}")
_RANDOM = re.compile(r"[A-Za-z0-9+/_-]{32,512}={0,2}")
_WORD = re.compile(r"[a-z]{8}|[A-Z]{8}|/[a-z]{3,}/")
_BITS = 4.3  # of 32 characters by chance out of 64 nearly all have more; words, hex digits and names have less
# OpenSSH's public keys, X.509 and PEM in base64: what is private in there its shape gives away.
_NO_SECRETS = ("AAAA", "MII", "LS0t")
_OPEN = frozenset(
    {
        *("hash", "hashes", "checksum", "checksums", "digest", "sha", "sha1", "sha256", "sha512", "md5", "integrity"),
        *("fingerprint", "cert", "certificate", "ca", "bundle", "public", "pub", "pubkey", "crt", "signature", "sig"),
        *("id", "uid", "uuid", "rev", "revision", "commit", "ref", "image", "tag", "version", "url", "uri", "path"),
        *("encrypted", "sealed", "mac", "enc", "thumbprint", "gpg", "etag", "policy", "annotations", "content"),
    }
)
_PUBLIC = re.compile(
    r"\A(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-\S+|sk-ssh-\S+|sk-ecdsa-\S+) |-----BEGIN (?:CERTIFICATE|PUBLIC)"
)


def is_secret_name(name: str) -> bool:
    """Whether a key says that its value is a secret: db_password and apiKey do, token_ttl does not."""
    own = name[:200].rsplit("/", 1)[-1].split("__", 1)[-1]  # acme.example/annotation, role__variable
    words = [word.lower() for word in _WORDS.findall(own)]
    ends = [index for index, word in enumerate(words) if word in _SECRETS]
    ends += [index + 1 for index, pair in enumerate(itertools.pairwise(words)) if pair in _PAIRS]
    if not ends:
        return False
    return not (_BEHIND & set(words[max(ends) + 1 :]) or _BEFORE & set(words[: min(ends)]))


def is_name_of_secret(name: str, value: str) -> bool:
    """Whether a chart's value names a Secret of Kubernetes (tlsSecret: shop-tls) and is none itself."""
    return bool(_NAMES_SECRET.search(name) and _OBJECT.fullmatch(value)) and "client" not in name.lower()


def is_random(value: str) -> bool:
    """Whether a value looks as if drawn by chance, as keys are: no hash, no address, no words, no public key."""
    if not _RANDOM.fullmatch(value) or value.startswith(_NO_SECRETS) or len(re.findall(r"[-_]", value)) > 4:
        return False
    if _WORD.search(value) or not all(re.search(kind, value) for kind in ("[a-z]", "[A-Z]", "[0-9]")):
        return False
    shares = [value.count(char) / len(value) for char in set(value)]
    return -sum(share * math.log2(share) for share in shares) > _BITS


def is_about_randomness(name: str) -> bool:
    """Whether a name says that its value is random and public: a digest, a certificate, an id."""
    return bool(_OPEN & {word.lower() for word in _WORDS.findall(name[:200])})


def is_literal_secret(value: str) -> bool:
    """Whether a value is the secret itself: no template, reference, hash, public key, number of days or filler."""
    text = value.strip()
    if text.lower() in _TRUTH or len(text) < 3 or (text.isdigit() and len(text) < 6):
        return False
    return not any(
        (
            _FILLERS.fullmatch(text),
            _REFERENCES.search(text),
            _HASHES.match(text),
            _PUBLIC.search(text),
            " " in text and len(text.split()) > 8,
        )
    )
