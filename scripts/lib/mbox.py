#!/usr/bin/python3
"""Completes a mailbox of git format-patch (stdin) to stdout: the cover letter's
subject and text, and To: and Cc: for each mail."""

import argparse
import email.utils
import re
import sys

START = re.compile(r"^From [0-9a-f]{40} Mon Sep 17 00:00:00 2001\n", re.M)


def addresses(path):
    """What get_maintainer.pl --roles says, each once, encoded for a header:
    maintainers for To:, reviewers and lists for Cc:."""
    to, cc, known = [], [], set()
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    for line in lines:
        # a name may have parentheses, too: "(Oracle)"
        who, role = (re.split(r" \((?=[a-z][a-z ]*[:)])", line, maxsplit=1) + [""])[:2]
        name, address = email.utils.parseaddr(who)
        if "@" not in address:
            sys.exit(f"mbox: not an address: {line}")
        if address.lower() not in known:
            known.add(address.lower())
            is_maintainer = role.startswith(("maintainer", "supporter", "odd fixer"))
            (to if is_maintainer else cc).append(email.utils.formataddr((name, address)))
    return (to, cc) if to else (cc, to)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("name", "subject", "text", "who"):
        parser.add_argument("--" + name, required=True)
    args = parser.parse_args()

    to, cc = addresses(args.who)
    if not to:
        sys.exit(f"mbox: {args.name}: nobody to send it to")
    added = "".join(f"{field}: " + ",\n\t".join(who) + "\n"
                    for field, who in (("To", to), ("Cc", cc)) if who)

    with open(args.text, encoding="utf-8") as file:
        text = file.read().strip()
    if not (text + args.subject).isascii():
        sys.exit(f"mbox: {args.name}: the cover letter has to be plain ASCII")
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > 75:
            sys.exit(f"mbox: {args.name}: cover letter, line {number} has more than 75 "
                     f"characters: {line}")

    raw = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    mails = [raw[a.start():b] for a, b in zip(
        START.finditer(raw), [m.start() for m in START.finditer(raw)][1:] + [len(raw)])]
    if len(mails) < 2 or "*** BLURB HERE ***" not in mails[0]:
        sys.exit(f"mbox: {args.name}: not what git format-patch --cover-letter writes")
    # it would begin another mail for all that read mailboxes, b4 among them
    for line in re.findall(r"^From .*", START.sub("", raw), re.M):
        sys.exit(f"mbox: {args.name}: a line of a changelog begins with From, reword it: {line}")
    for number, mail in enumerate(mails):
        head, body = mail.split("\n\n", 1)
        # b4 0.12 does not take a subject of two lines from a mailbox
        head = re.sub(r"^Subject: .*(\n .*)+", lambda m: m[0].replace("\n", ""), head, flags=re.M)
        # git names the cover letter after the second in which it was written
        head = re.sub(r"<cover\.", f"<{args.name}.", head)
        if number == 0:
            head = head.replace("*** SUBJECT HERE ***", args.subject)
            body = body.replace("*** BLURB HERE ***", text)
        sys.stdout.buffer.write(f"{head}\n{added}\n{body}".encode("utf-8", "surrogateescape"))


main()
