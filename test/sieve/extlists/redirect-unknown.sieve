require "extlists"; redirect :list "tag:x";
