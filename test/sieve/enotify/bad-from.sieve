require "enotify";
notify :from "nobody" "mailto:me@example.net";
