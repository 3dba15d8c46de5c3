require ["vacation","fcc","mailboxid"]; vacation :fcc "Sent" :mailboxid "F7" "Away.";
