require "editheader";
deleteheader :index 1 :contains "X-Tag" "t";
