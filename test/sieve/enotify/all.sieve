require "enotify";
notify :from "Ann <ann@example.org>" :importance "1" :options ["a=b"] :message "New mail" "mailto:me@example.net?subject=x";
