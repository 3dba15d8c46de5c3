redirect :copy "x@example.com";
