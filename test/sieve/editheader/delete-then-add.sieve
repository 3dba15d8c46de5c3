require "editheader";
deleteheader "Subject"; addheader "Subject" "changed";
