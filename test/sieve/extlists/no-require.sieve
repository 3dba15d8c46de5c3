redirect :list "tag:x";
