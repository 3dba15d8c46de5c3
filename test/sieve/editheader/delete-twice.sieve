require "editheader";
deleteheader :index 1 "X-Tag"; deleteheader :index 1 "X-Tag";
