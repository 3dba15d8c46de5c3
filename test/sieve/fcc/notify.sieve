require ["enotify","fcc"]; notify :fcc "Sent" "mailto:me@example.net";
