"""`derive completion`: what a shell needs to complete commands, options and bundled problems."""

from __future__ import annotations

import click

from derive.commands.examples import examples


@click.command(epilog=examples("derive completion bash", "derive completion zsh", "derive completion fish"))
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash  add to ~/.bashrc:  eval "$(derive completion bash)"
    zsh   add to ~/.zshrc:   eval "$(derive completion zsh)"
    fish  save as ~/.config/fish/completions/derive.fish
    """  # noqa: D301  # click needs the character \b
    from click.shell_completion import get_completion_class

    root = click.get_current_context().find_root().command
    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(root, {}, "derive", "_DERIVE_COMPLETE").source())
