-- Missed calls that were not looked at yet, however many calls came after them.
CREATE INDEX unseen_history ON history (person, id) WHERE unseen = 1;
