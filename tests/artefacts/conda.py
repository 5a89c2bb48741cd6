"""Builds the conda recipe into a channel of its own, and installs what came of it into an empty prefix:

  conda.py RECIPE CHANNEL PREFIX

Nothing is fetched: the channel is the only one, and the recipe's own tests run as well.
"""

import asyncio
import sys
from pathlib import Path

import rattler
from rattler.index import index_fs
from rattler_build import Stage0Recipe, ToolConfiguration


def main() -> None:
    recipe, channel, prefix = (Path(argument).resolve() for argument in sys.argv[1:])
    channel.mkdir(parents=True)
    built = Stage0Recipe.from_file(recipe).run_build(
        tool_config=ToolConfiguration(test_strategy="native"), output_dir=channel, channels=[channel.as_uri()]
    )
    for result in built:
        print(*result.packages, *result.log, sep="\n")
    asyncio.run(install(channel, prefix))


async def install(channel: Path, prefix: Path) -> None:
    await index_fs(channel)
    records = await rattler.solve(
        sources=[channel.as_uri()],
        specs=["libcriwatch", "criwatch"],
        platforms=[str(rattler.Platform.current()), "noarch"],
        virtual_packages=rattler.VirtualPackage.detect(),
    )
    await rattler.install(records, prefix, cache_dir=channel.parent / "cache", show_progress=False)


main()
