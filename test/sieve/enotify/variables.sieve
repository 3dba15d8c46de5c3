require ["enotify","variables"]; if header :matches "subject" "*report*" { notify :message "${0}" "mailto:me@example.net"; }
