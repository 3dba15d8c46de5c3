require "editheader";
deleteheader "X-Missing";
