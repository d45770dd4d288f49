#!/usr/bin/env python3
"""Run the code cells of a notebook in order, without Jupyter.

    tools/notebook.py [--write] NOTEBOOK

An exception ends it with status 1 and names the cell. What cells print, and the value of a last expression, are shown; --write stores them in the
notebook, as Jupyter would.
"""
import ast
import contextlib
import io
import json
import sys
import traceback


def run_cell(source, names, number):
    """The outputs of a cell, as a notebook holds them."""
    tree = ast.parse(source, f"cell {number}")
    last = ast.Expression(tree.body.pop().value) if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"cell {number}", "exec"), names)
        if last:
            value = eval(compile(last, f"cell {number}", "eval"), names)
    outputs = []
    if printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": printed.getvalue().splitlines(keepends=True)})
    if value is not None:
        data = {"text/plain": [repr(value)]}
        if hasattr(value, "_repr_html_"):
            data = {"text/html": [value._repr_html_()], "text/plain": [f"<{type(value).__name__}>"]}
        outputs.append({"output_type": "execute_result", "execution_count": number, "data": data, "metadata": {}})
    return outputs


def main():
    arguments = [a for a in sys.argv[1:] if a != "--write"]
    if len(arguments) != 1:
        sys.exit(__doc__)
    with open(arguments[0], encoding="utf-8") as f:
        notebook = json.load(f)
    names, number = {"__name__": "__main__"}, 0
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        number += 1
        try:
            cell["outputs"] = run_cell("".join(cell["source"]), names, number)
        except BaseException:
            traceback.print_exc()
            sys.exit(f"{arguments[0]}: cell {number} failed")
        cell["execution_count"] = number
        for output in cell["outputs"]:
            print(f"[{number}]", "".join(output.get("text") or output["data"]["text/plain"]).rstrip())
    if "--write" in sys.argv:
        with open(arguments[0], "w", encoding="utf-8") as f:
            json.dump(notebook, f, indent=1, ensure_ascii=False)
            f.write("\n")


if __name__ == "__main__":
    main()
