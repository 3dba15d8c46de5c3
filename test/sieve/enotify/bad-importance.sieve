require "enotify";
notify :importance "4" "mailto:me@example.net";
