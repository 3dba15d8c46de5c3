require "editheader";
addheader :last "X-New" "value";
