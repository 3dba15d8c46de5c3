/* 😀 */ nonsense;
