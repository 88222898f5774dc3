"""A Bot API server for tests: keeps chats, messages, updates and files in memory, and refuses what the real one refuses.

It knows nothing of any bot. Sources: https://core.telegram.org/bots/api for methods and limits, github.com/tdlib/telegram-bot-api
and github.com/tdlib/td for descriptions of errors and for what is trimmed.
"""
