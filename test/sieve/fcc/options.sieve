require ["vacation","fcc","mailbox","imap4flags","special-use"]; vacation :fcc "Sent" :create :flags "\\Seen" :specialuse "\\Sent" "Away.";
