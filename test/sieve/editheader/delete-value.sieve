require "editheader";
deleteheader :contains "X-Tag" "t";
