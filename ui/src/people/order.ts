import type { Person } from '#ui/bindings';

/** Who can be reached comes first; otherwise the order stays. */
export function reachableFirst(people: Person[]): Person[] {
  const isAway = (person: Person) => (person.presence === 'offline' ? 1 : 0);
  return people.toSorted((a, b) => isAway(a) - isAway(b));
}

/** Who has all the words in the name or the id, whatever their case. */
export function found(people: Person[], text: string): Person[] {
  const words = text.toLowerCase().split(/\s+/u).filter(Boolean);
  return people.filter((person) => {
    const name = `${person.name} ${person.id}`.toLowerCase();
    return words.every((word) => name.includes(word));
  });
}
