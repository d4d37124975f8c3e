import type { Person, UserId } from '#ui/bindings';

/** Favourites come first, then who can be reached; otherwise the order stays. */
export function bestFirst(people: Person[], favourites: UserId[]): Person[] {
  const place = (person: Person) => (favourites.includes(person.id) ? 0 : 2) + (person.presence === 'offline' ? 1 : 0);
  return people.toSorted((a, b) => place(a) - place(b));
}

/** Programs ring people and cannot be rung. */
export function callable(people: Person[]): Person[] {
  return people.filter((person) => person.is_program !== true);
}

/** Who has all the words in the name or the id, whatever their case. */
export function found(people: Person[], text: string): Person[] {
  const words = text.toLowerCase().split(/\s+/u).filter(Boolean);
  return people.filter((person) => {
    const name = `${person.name} ${person.id}`.toLowerCase();
    return words.every((word) => name.includes(word));
  });
}
