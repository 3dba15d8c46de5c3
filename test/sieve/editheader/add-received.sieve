require "editheader";
addheader "Received" "from here";
