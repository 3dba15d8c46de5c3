require "enotify";
notify "mailto:me@example.net";
