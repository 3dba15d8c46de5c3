require "editheader";
addheader "X-New" "value";
