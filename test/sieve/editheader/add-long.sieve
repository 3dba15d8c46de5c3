require "editheader";
addheader "X-New" "word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word ";
