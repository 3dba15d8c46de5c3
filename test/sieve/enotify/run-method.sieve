require ["enotify","variables"]; set "m" "tel:1";
notify "${m}";
