"""The platforms on which people write: one file each, over one contract (`bot.channels.channel`)."""
