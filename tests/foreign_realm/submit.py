"""Opens a platform in a process of its own, and submits the intent that only the wheel brings."""

import asyncio
import json
import sys
from pathlib import Path

from symphainy_platform import Identity, Platform, Settings, StartError


async def greet(home):
    async with Platform.open(Settings(home=home)) as platform:
        ann = Identity("t1", "ann")
        answers = [await platform.submit_intent("send_greeting", {"name": "Ada"}, identity=ann) for _ in range(2)]
        await platform.submit_intent("initialize_chat_session", {}, identity=ann)
        return [answer.to_dict() for answer in answers]


try:
    answers = asyncio.run(greet(Path(sys.argv[1])))
except StartError as error:
    sys.exit(f"{type(error).__name__}: {error}")
sys.stdout.write(f"\n{json.dumps(answers)}")
