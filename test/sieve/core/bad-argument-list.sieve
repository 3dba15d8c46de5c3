redirect ["a@example.com"];
