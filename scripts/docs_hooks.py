"""Hooks of mkdocs: the documents at the top as pages, and nothing loaded from another server."""

import re
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

TOP = {"CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"}
_LOADED = re.compile(
    r"""<(?:link|script|img|iframe|source)\b(?:[^>"']|"[^"]*"|'[^']*')*?\s(?:src|href)=["']?(?:https?:)?//"""
)


def on_files(files: Files, config: Any) -> Files:
    """Add the documents at the top of the repository, where the forge looks for them."""
    for name in sorted(TOP):
        files.append(File.generated(config, name, abs_src_path=name))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links that work in the repository into links of the site."""
    if page.file.src_uri in TOP:
        return markdown.replace("](docs/", "](")
    return re.sub(rf"\]\(\.\./({'|'.join(map(re.escape, TOP))})", r"](\1", markdown)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Refuse a page that would load something from another server."""
    for tag in _LOADED.finditer(output):
        if 'rel="canonical"' not in tag[0]:  # says where the page stands, and loads nothing
            raise PluginError(f"{page.file.src_uri} loads from another server: {tag[0]}...")
    return output
