require "copy"; redirect :copy "ann@example.org";
