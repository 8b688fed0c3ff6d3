"""Runs one guest program and writes what became of it to the result descriptor; the same in both backends.

Everything the function needs is bound as a default argument at boot, so a program that tampers with
builtins, modules or this module's globals spoils its own run only. Nothing of it is left afterwards.
"""
import _ast
import ast
import builtins
import json
import os
import random
import sys
import warnings

warnings.simplefilter("ignore")

_VALUE_CHARS = 4096
_MESSAGE_CHARS = 500


def _failure(
    error,
    _type=type,
    _str=str,
    _isinstance=isinstance,
    _getattr=getattr,
    _syntax=SyntaxError,
    _not_found=ModuleNotFoundError,
):
    line = None
    trace = error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == "<program>":
            line = trace.tb_lineno
        trace = trace.tb_next
    if _isinstance(error, _syntax):
        line = _getattr(error, "lineno", None)
    missing = _getattr(error, "name", None) if _isinstance(error, _not_found) else None
    return {
        "ok": False,
        "type": _type(error).__name__,
        "message": _str(error)[:_MESSAGE_CHARS],
        "line": line if _type(line) is int else None,
        "missing": missing if _type(missing) is _str else None,
    }


def run_program(
    seed,
    source,
    result_fd,
    _parse=ast.parse,
    _compile=compile,
    _exec=exec,
    _eval=eval,
    _repr=repr,
    _len=len,
    _dumps=json.dumps,
    _write=os.write,
    _seed=random.seed,
    _type=type,
    _isinstance=isinstance,
    _getattr=getattr,
    _failure=_failure,
    _Expr=_ast.Expr,
    _Expression=_ast.Expression,
    _BaseException=BaseException,
    _SystemExit=SystemExit,
    _builtins=builtins,
    _sys=sys,
    _limit=_VALUE_CHARS,
):
    result = {"ok": True, "value": None, "cut": False}
    try:
        _seed(seed)
        scope = {"__name__": "__main__", "__builtins__": _builtins}
        tree = _parse(source, "<program>", "exec")
        last = None
        if tree.body and _isinstance(tree.body[-1], _Expr):
            last = _Expression(tree.body.pop().value)
        _exec(_compile(tree, "<program>", "exec"), scope)
        if last is not None:
            value = _eval(_compile(last, "<program>", "eval"), scope)
            if value is not None:
                text = _repr(value)
                result["value"] = text[:_limit]
                result["cut"] = _len(text) > _limit
    except _SystemExit as error:
        # exit(), exit(0) and sys.exit() end a program well, as they do for `python3 FILE`.
        if error.code is not None and error.code != 0:
            result = _failure(error)
    except _BaseException as error:
        try:
            result = _failure(error)
        except _BaseException:
            result = {"ok": False, "type": "Exception", "message": "(cannot be printed)", "line": None, "missing": None}
    try:
        _sys.stdout.flush()
    except _BaseException:
        pass
    # A line ends the result: nothing follows it, so nobody needs to wait for more.
    _write(result_fd, (_dumps(result) + "\n").encode("utf-8", "replace"))
