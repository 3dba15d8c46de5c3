require "extlists"; redirect :list "tag:example.org,2026:team";
