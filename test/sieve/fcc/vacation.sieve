require ["vacation","fcc"]; vacation :fcc "Sent" "Away.";
