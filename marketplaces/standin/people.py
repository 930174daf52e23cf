"""Who buys: made-up people, always the same one for a number."""

from functools import lru_cache

FIRST = ("Anna", "Piotr", "Maria", "Jan", "Katarzyna", "Tomasz", "Olga", "Ivan", "Elena")
LAST = ("Kowalska", "Nowak", "Zielinska", "Wojcik", "Sokolova", "Petrov", "Lewandowska", "Mazur", "Orlova", "Kaminski")


@lru_cache(maxsize=128)
def buyer_of(number: int) -> dict[str, str]:
    first, last = FIRST[number % len(FIRST)], LAST[number % len(LAST)]
    return {
        "id": str(70_000_000 + number),
        "email": f"buyer{number}@buyers.example",
        "login": f"{first.lower()}_{number}",
        "firstName": first,
        "lastName": last,
    }
