"""What the site adds to the Markdown of the repository, which is written to be read on a code host as it is.

- Files outside `docs/` that a page links get a page of their own; links are turned to it. The README is one of them.
  Markdown in the repository's folder (CHANGELOG and the like) may link on, as pages of `docs/` do.
- Mermaid's pictures are drawn here, so that no script draws them in the browser.
- Nothing may be loaded from elsewhere, or the build fails.
- The API's reference is made of the OpenAPI document, which `reference.py` has written before.
- Anchors are those of code hosts.
- On a phone a row of a table is a list, with each cell by the name of its column. A long page folds.
"""

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import mermaidx
from properdocs.config.defaults import ProperDocsConfig
from properdocs.exceptions import PluginError
from properdocs.structure.files import File, Files, InclusionLevel
from properdocs.structure.pages import Page
from pygments.formatters import HtmlFormatter

log = logging.getLogger("properdocs.hooks")  # a warning there fails a strict build

SITE = Path(__file__).parent
DOCS = SITE.parent
ROOT = DOCS.parent
REFERENCE = ROOT / "build/reference"
README = ROOT / "README.md"
BESIDE = [*sorted(ROOT.glob("*.md")), ROOT / "clients/python/README.md"]  # pages that are not in docs/
OVERVIEW = "overview.md"
FOREIGN = re.compile(r"<(?:script|link|img|iframe)[^>]+(?:https?:)?//[^>]*>")
LANGUAGES = {".py": "python", ".sql": "sql", ".json": "json", ".yml": "yaml", ".sh": "sh"}
TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)
LONG = 25_000
"""Characters of HTML beyond which a page folds."""
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
MERMAID = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Of Markdown, and of the HTML in it.
LINK = re.compile(r"""(\]\(|(?:src|srcset|href)=")(?![a-z]+:)([^)\s"#]+)(#[^)\s"]*)?(?=[)"])""")

# A list may follow a paragraph's line at once on a code host; here it takes a blank line.
LIST = re.compile(r"^(?![ \t]|[-*+] |\d+\. )(.+)\n(?=(?:1\.|[-*+]) )", re.MULTILINE)


def on_config(config: ProperDocsConfig) -> ProperDocsConfig:
    """Anchors as code hosts make them, and every decision record in the navigation."""
    if not REFERENCE.is_dir():
        raise PluginError("build/reference is missing: `make docs` makes it first")
    config.mdx_configs["toc"] = {"slugify": _anchor, "permalink": True}
    records = [f"decisions/{path.name}" for path in sorted((DOCS / "decisions").glob("[0-9]*.md"))]
    for section in config.nav or []:
        for entries in section.values():
            for entry in entries if isinstance(entries, list) else ():
                if entry == {"Decisions": "decisions/"}:
                    entry["Decisions"] = ["decisions/README.md", *records]
    return config


def on_files(files: Files, config: ProperDocsConfig) -> Files:
    """The pages and pictures that are no files of `docs/`."""
    files.append(File.generated(config, "style.css", content=_style()))
    files.append(File.generated(config, "openapi.json", content=(REFERENCE / "openapi.json").read_text()))
    files.append(File.generated(config, "openapi.md", content=_OPENAPI))
    documents = [*BESIDE, *(Path(file.abs_src_path) for file in files.documentation_pages() if file.abs_src_path)]
    linked = {target for path in documents for target in _links(path, path.read_text())}
    for target in sorted(linked):
        if not target.is_relative_to(DOCS) or target.suffix == ".json":
            level = InclusionLevel.UNDEFINED if target == README else InclusionLevel.NOT_IN_NAV
            files.append(File.generated(config, _home(target), content=_page(target), inclusion=level))
    for path in documents:
        for picture in MERMAID.findall(path.read_text()):
            if files.get_file_from_path(_drawing(picture)) is None:
                files.append(File.generated(config, _drawing(picture), content=mermaidx.Diagram(picture).svg()))
    return files


_OPENAPI = (
    "# Every request and answer\n\nMade from the [OpenAPI document](openapi.json) of an API with default settings.\n"
)


def on_page_markdown(markdown: str, page: Page, config: ProperDocsConfig, files: Files) -> str:  # noqa: ARG001
    """The page with links that fit the site, and with its pictures drawn."""
    source = _source(page.file)
    if source is None:
        return markdown
    pieces: list[str] = []
    at = 0
    for fence in FENCE.finditer(markdown):
        pieces.append(_adapted(source, page, markdown[at : fence.start()]))
        drawn = MERMAID.fullmatch(fence.group())
        pieces.append(f"![{page.title}]({_way(page, _drawing(drawn[1]))})" if drawn else fence.group())
        at = fence.end()
    return "".join((*pieces, _adapted(source, page, markdown[at:])))


def on_page_content(html: str, page: Page, config: ProperDocsConfig, files: Files) -> str:  # noqa: ARG001
    """The page for small screens, too; the API's reference behind its heading."""
    if page.file.src_uri == "openapi.md":
        html += (REFERENCE / "openapi.html").read_text()
    html = TABLE.sub(_labelled, html)
    return _folded(html) if len(html) > LONG else html


def _labelled(table: re.Match[str]) -> str:
    """The table with the name of its column on each cell but a row's first, which names the row."""
    head, body = table[0].partition("</thead>")[::2]
    names = [re.sub("<[^>]+>", "", name) for name in re.findall(r"<th[^>]*>(.*?)</th>", head)]
    pieces = []
    for row in re.split(r"(?=<tr>)", body):
        nth = iter(range(len(names)))
        pieces.append(re.sub("<td(?=>)", lambda _, nth=nth: _cell(names, next(nth)), row))
    return f"{head}</thead>{''.join(pieces)}"


def _cell(names: list[str], nth: int) -> str:
    return f'<td data-label="{names[nth]}"' if nth and names[nth] else "<td"


def _folded(html: str) -> str:
    """The page with a fold for each of its sections, whose anchor is inside, where a link to it opens the fold."""
    before, *sections = re.split(r'(?=<h2 id=")', html)
    pieces = [before]
    for section in sections:
        heading = re.match(r'<h2 id="([^"]+)">(.*?)(?:<a class="headerlink".*?</a>)?</h2>', section, re.DOTALL)
        assert heading
        pieces.append(
            f'<details class="fold"><summary>{heading[2]}</summary>'
            f'<div id="{heading[1]}">{section[heading.end() :]}</div></details>'
        )
    return "".join(pieces)


def _anchor(heading: str, separator: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", separator)


def _style() -> str:
    light, dark = HtmlFormatter(style="default"), HtmlFormatter(style="github-dark")
    colours = (light.get_style_defs(".codehilite"), dark.get_style_defs("[data-bs-theme=dark] .codehilite"))
    return "\n".join(((SITE / "style.css").read_text(), *colours))


def on_post_page(output: str, page: Page, config: ProperDocsConfig) -> str:  # noqa: ARG001
    """The page as it is, once it loads nothing from elsewhere."""
    for foreign in FOREIGN.findall(output):
        log.warning("%s loads something from elsewhere: %s", page.file.src_uri, foreign)
    return output


def _source(file: File) -> Path | None:
    """Which Markdown of the repository a page shows, if it is one's links that have to be turned."""
    if not file.generated_by:
        return DOCS / str(file.src_uri)
    return next((path for path in BESIDE if _home(path) == file.src_uri), None)


def _links(path: Path, markdown: str) -> Iterator[Path]:
    """The files that a document links."""
    for link in LINK.finditer(FENCE.sub("", markdown)):
        yield Path(os.path.normpath(path.parent / link[2]))


def _home(path: Path) -> str:
    """Where a file of the repository is in the site's sources."""
    if path == README:
        return OVERVIEW
    if path.is_relative_to(DOCS) and path.suffix != ".json":
        return str(path.relative_to(DOCS))
    return f"{path.relative_to(DOCS if path.is_relative_to(DOCS) else ROOT)}.md"


def _page(path: Path) -> str:
    """A file as a page: Markdown as it is, another in a frame; a folder as the list of its files."""
    if path.is_dir():
        files = sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())
        return f"# {path.relative_to(ROOT)}/\n\n" + "".join(f"- `{file}`\n" for file in files)
    text = path.read_text()
    if path.suffix == ".md":
        return text
    return f"# {path.name}\n\n`{path.relative_to(ROOT)}`\n\n```{LANGUAGES.get(path.suffix, 'text')}\n{text}```\n"


def _adapted(source: Path, page: Page, markdown: str) -> str:
    def turned(link: re.Match[str]) -> str:
        target = Path(os.path.normpath(source.parent / link[2]))
        return f"{link[1]}{_way(page, _home(target))}{link[3] or ''}"

    return LIST.sub(r"\1\n\n", LINK.sub(turned, markdown))


def _way(page: Page, uri: str) -> str:
    return os.path.relpath(uri, Path(page.file.src_uri).parent)


def _drawing(picture: str) -> str:
    return f"pictures/{hashlib.sha256(picture.encode()).hexdigest()[:16]}.svg"
