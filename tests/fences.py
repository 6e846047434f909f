"""A fence that import-linter does not bring: what may import nothing but ourselves and the standard library.

A list of the libraries that are forbidden would let the next one in.
"""

import sys
from collections.abc import Sequence
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from importlinter.domain.helpers import module_expressions_to_modules
from importlinter.domain.imports import ModuleExpression


class StandardLibraryOnly(Contract):
    """The modules, and all in them, import no library of the outside: themselves, that is. What they import may."""

    type_name = "standard_library_only"

    modules = fields.ListField(subfield=fields.ModuleExpressionField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at every direct import."""
        ours = {*self.session_options["root_packages"], *sys.stdlib_module_names}
        expressions = cast("Sequence[ModuleExpression]", self.modules)
        offenders = [
            (module.name, imported)
            for module in module_expressions_to_modules(graph, expressions, as_packages=True)
            for imported in graph.find_modules_directly_imported_by(module.name)
            if imported.partition(".")[0] not in ours
        ]
        return ContractCheck(kept=not offenders, metadata={"offenders": sorted(offenders)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name them."""
        for importer, imported in check.metadata["offenders"]:
            output.print_error(f"- {importer} -> {imported}", bold=False)
