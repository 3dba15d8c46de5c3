require "editheader";
deleteheader :index 2 "X-Tag";
