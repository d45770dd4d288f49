"""For documents.sh: the command lines of the documents, one a line: where it stands, a tab, the command.

Of Markdown: indented lines and blocks of sh that begin with scry or ./scry, without what is explained behind two spaces. Of the output of
--help on standard input: what follows "Examples:". With "spans": what stands between backquotes in the text, and has an option."""

import re
import sys


def command(line):
    return re.split(r" {2,}", line.strip())[0].removeprefix("./")


def of_markdown(path):
    fenced = False
    for line in open(path, encoding="utf-8"):
        if line.startswith("```"):
            fenced = line.strip() == "```sh"
        elif re.match(r"(    )(scry |\./scry )", line) or (fenced and re.match(r"(\./)?scry ", line)):
            yield command(line)


def of_help(text):
    example = False
    for line in text.splitlines():
        if line == "Examples:":
            example = True
        elif not line.startswith("  "):
            example = False
        elif example:
            yield line.strip()


def of_spans(path):
    text = re.sub(r"```.*?```", "", open(path, encoding="utf-8").read(), flags=re.S)
    for span in re.findall(r"`(scry [a-z][^`]*)`", text):
        if " --" in span or " -" in span:
            yield " ".join(span.split())


if sys.argv[1] == "help":
    for line in of_help(sys.stdin.read()):
        print(f"scry {sys.argv[2]} --help\t{line}")
else:
    for name in sys.argv[2:]:
        for line in (of_spans if sys.argv[1] == "spans" else of_markdown)(name):
            print(f"{name.rsplit('/', 1)[-1]}\t{line}")
