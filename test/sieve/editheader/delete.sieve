require "editheader";
deleteheader "x-tag";
